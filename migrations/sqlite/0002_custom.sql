-- Statistics that scripts push, as they were last; one of these lost is what the loss of a process may cost.
create table custom (
    name text not null,
    kind text not null,
    value integer not null,
    constraint custom_pk primary key (name)
) without rowid;
