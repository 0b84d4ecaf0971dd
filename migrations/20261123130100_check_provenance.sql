-- The predicate type of a provenance that was checked against its version. Null where there is none, and where an
-- earlier release kept one without looking: that one is not served.
alter table versions add column provenance_type text;
