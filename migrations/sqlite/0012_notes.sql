-- What people wrote on an instant or a span of a box.
create table note (
    note_id integer not null primary key autoincrement,
    box_id integer not null,
    from_ms integer not null,
    -- The same as from_ms for an instant.
    to_ms integer not null,
    text text not null,
    by_whom text not null,
    written_ms integer not null,
    constraint note_box foreign key (box_id) references box (box_id),
    constraint note_order check (from_ms <= to_ms)
);
create index note_box_from on note (box_id, from_ms);
