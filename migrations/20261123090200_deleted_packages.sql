-- A package that was unpublished as a whole keeps its row: its numbers are never used again, and it can be restored.
alter table packages add column deleted_at timestamptz;
