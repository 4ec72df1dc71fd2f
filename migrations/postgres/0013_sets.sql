-- Chart sets that people put together. body: their charts, JSON; see app/src/model/chart_spec.rs.
create table chart_set (
    name text collate "C" not null,
    place bigint not null,
    pinned bigint not null,
    body text collate "C" not null,
    by_whom text collate "C" not null,
    changed_ms bigint not null,
    constraint chart_set_pk primary key (name),
    constraint chart_set_pinned check (pinned in (0, 1))
);
