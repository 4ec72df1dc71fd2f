-- Days that were merged before there were minutes and hours are gone through once more.
update box set merged_ms = null;
