-- The request that asked for a delivery (X-Request-Id): null for what the schedule asks for.
alter table outbox add column request_id uuid;
