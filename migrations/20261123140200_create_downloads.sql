-- Downloads of a version on a day (UTC). Nodes count in memory and add what they have from time to time.
create table downloads (
    package_id bigint not null references packages (id) on delete cascade,
    day date not null,
    version text not null,
    count bigint not null,
    primary key (package_id, day, version)
);

create index downloads_day_idx on downloads (day);
