-- Statistics that are computed from others: what `derived:NAME` comes to on each box, or, where the formula names boxes, of all of them.
create table derived (
    name text collate "C" not null,
    formula text collate "C" not null,
    unit text collate "C" not null,
    meaning text collate "C" not null,
    origin text collate "C" not null,
    created_ms bigint not null,
    constraint derived_pk primary key (name)
);
