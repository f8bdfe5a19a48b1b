-- The zone if PostgreSQL knows it, else the fallback: for zones that were stored and not checked now.
create function app.known_zone(p_zone text, p_fallback text) returns text
language plpgsql stable parallel safe
as $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, p_fallback);
exception when invalid_parameter_value then
  return p_fallback;
end $$;
grant execute on function app.known_zone(text, text) to service;
