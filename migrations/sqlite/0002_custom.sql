-- The statistics that scripts push to the box tickmark, as they were last.
create table custom (
    name text not null,
    kind text not null,
    value integer not null,
    constraint custom_pk primary key (name)
) without rowid;
