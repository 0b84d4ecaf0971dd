-- What administrators say on every page; at most one line.
create table banners (
    one boolean primary key default true constraint banners_one_check check (one),
    sentence text not null,
    urgent boolean not null,
    until timestamptz,
    created_at timestamptz not null
);
