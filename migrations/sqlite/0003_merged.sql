-- Days before this are merged: their spans and chunks are as few as they can be.
alter table box add column merged_ms integer;
