-- Statistics that are computed from others: what `derived:NAME` comes to on each box, or, where the formula names boxes, of all of them.
create table derived (
    name text not null,
    formula text not null,
    unit text not null,
    meaning text not null,
    origin text not null,
    created_ms integer not null,
    constraint derived_pk primary key (name)
);
