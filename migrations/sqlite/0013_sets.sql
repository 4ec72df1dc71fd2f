-- Chart sets that people put together. body: their charts, JSON; see app/src/model/chart_spec.rs.
create table chart_set (
    name text not null,
    place integer not null,
    pinned integer not null,
    body text not null,
    by_whom text not null,
    changed_ms integer not null,
    constraint chart_set_pk primary key (name),
    constraint chart_set_pinned check (pinned in (0, 1))
) without rowid;
