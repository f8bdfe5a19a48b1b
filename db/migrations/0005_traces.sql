-- The work that asked for a delivery (W3C Trace Context): null where nothing was traced.
alter table outbox
  add column traceparent text check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
