-- The files in the tarball of a version, so that pages can show one without walking through all: one row for each
-- version and not one for each file, since they are written once, read together and removed together, and a package may
-- have a hundred thousand; the database keeps long arrays compressed and beside the row. A file is what stands at the
-- same place of each array. digests holds the SHA-256 of each file, 32 bytes after 32 bytes. Without paths the index is
-- still to be made.
create table version_files (
    version_id bigint primary key references versions (id) on delete cascade,
    paths text[],
    sizes bigint[],
    offsets bigint[],
    texts boolean[],
    digests bytea,
    constraint version_files_same_length_check check (
        paths is null
        or (
            cardinality(sizes) = cardinality(paths)
            and cardinality(offsets) = cardinality(paths)
            and cardinality(texts) = cardinality(paths)
            and octet_length(digests) = 32 * cardinality(paths)
        )
    )
);

create index version_files_missing_idx on version_files (version_id) where paths is null;

-- The README of a version as a page, and what made it: 0 is nobody yet.
create table readmes (
    version_id bigint primary key references versions (id) on delete cascade,
    renderer bigint not null default 0,
    html text
);

create index readmes_renderer_idx on readmes (renderer, version_id);

-- What is still to be made of a version is noted by triggers, so that a node of the release before notes it too; and
-- what was made goes when the version goes for good.
create function note_contents() returns trigger
language plpgsql as $$
begin
    insert into version_files (version_id) values (new.id) on conflict do nothing;
    if new.readme is not null then
        insert into readmes (version_id) values (new.id) on conflict do nothing;
    end if;
    return null;
end
$$;

create trigger versions_note_contents after insert on versions
for each row execute function note_contents();

create function forget_contents() returns trigger
language plpgsql as $$
begin
    delete from version_files where version_id = new.id;
    delete from readmes where version_id = new.id;
    return null;
end
$$;

create trigger versions_forget_contents after update of sha512 on versions
for each row when (new.sha512 is null) execute function forget_contents();

insert into version_files (version_id)
select id from versions where sha512 is not null
on conflict do nothing;

insert into readmes (version_id)
select id from versions where sha512 is not null and readme is not null
on conflict do nothing;
