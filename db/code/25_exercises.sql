-- How exercises are called: what the app shows of their muscles, and when two names are one.

set local role service; -- the owner: a definer function acts with its rights, never with those of the tables' owner

-- The specific muscle that the app's answers carry (behaviour 3.2): the nearest of those that the app has pictures for. Abs
-- and Glutes have none and keep their words. The logbook shows what is stored. An own exercise says anything, so parts of
-- words decide.
create function app.pictured_muscle(p_muscle text, p_specific text) returns text
language sql immutable parallel safe
return case p_muscle
  when 'Legs' then case
    when p_specific ~* 'ham' then 'Hamstrings'
    when p_specific ~* 'cal[fv]|soleus' then 'Calves'
    when p_specific ~* 'adduct|inner|groin' then 'Adductors'
    else 'Quads'
  end
  when 'Chest' then case
    when p_specific ~* 'upper|incline|clavic' then 'Upper'
    else 'Major'
  end
  when 'Back' then case
    when p_specific ~* 'low|erector|spin' then 'Lower'
    when p_specific ~* 'trap|upper|rhomb|neck' then 'Traps'
    else 'Lats'
  end
  when 'Shoulders' then case
    when p_specific ~* 'front|anterior' then 'Front'
    when p_specific ~* 'rear|posterior' then 'Rear'
    else 'Delts'
  end
  when 'Triceps' then case
    when p_specific ~* 'long' then 'Long'
    when p_specific ~* 'medial' then 'Medial'
    else 'Lateral'
  end
  when 'Biceps' then case
    when p_specific ~* 'long' then 'Long'
    else 'Short'
  end
  else p_specific
end;

-- Two names are one whatever their case, blanks around and between words, and form of Unicode. The index
-- exercises_same_name_idx is of this expression.
create function app.name_key(p_name text) returns text
language sql immutable parallel safe
return lower(regexp_replace(btrim(normalize(p_name, nfkc)), '\s+', ' ', 'g'));
reset role;
