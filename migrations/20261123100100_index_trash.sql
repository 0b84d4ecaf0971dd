-- no-transaction
create index concurrently if not exists versions_trash_idx on versions (unpublished_at)
where unpublished_at is not null and sha512 is not null;
