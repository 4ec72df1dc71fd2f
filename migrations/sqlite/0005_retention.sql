-- How long each tier is kept: rules for all boxes (no box_id) or one, for all statistics (no pattern) or some. The most particular holds.
create table retention (
    retention_id integer not null primary key autoincrement,
    box_id integer,
    pattern text,
    tier integer not null,
    -- Milliseconds; null: for ever.
    keep_ms integer,
    constraint retention_box foreign key (box_id) references box (box_id)
);
create unique index retention_unique on retention (coalesce(box_id, 0), coalesce(pattern, ''), tier);

-- The bytes of a span and its chunks, so that sizes are told without reading them.
alter table span add column bytes integer not null default 0;
update span set bytes = length(payload) + coalesce((
    select sum(length(chunk.payload)) from series join chunk on chunk.series_id = series.series_id
    where series.box_id = span.box_id and chunk.tier = span.tier and chunk.start_ms = span.start_ms and chunk.seq = span.seq), 0);

-- When it was last looked at what may go, and before when samples themselves are gone.
alter table box add column retained_ms integer;
alter table box add column raw_from_ms integer;
