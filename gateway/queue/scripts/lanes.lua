#!lua flags=no-writes
-- Lists the lanes of a queue.
-- KEYS lanes
-- Answers for each: its name, how many its window holds, how many wait in its
-- line, and when the first of these was accepted (or empty); and the time last.
local lanes = KEYS[1]

local bad = mistyped('set', lanes)
local names = not bad and redis.call('SMEMBERS', lanes) or {}
for _, lane in ipairs(names) do bad = bad or mislaned(lanes, lane) end
if bad then return redis.error_reply(bad) end

local found = {}
for i, lane in ipairs(names) do
  local line, window = laned(lanes, lane)
  local first = redis.call('LINDEX', line, 0) or ''
  found[i] = {lane, redis.call('HLEN', window), redis.call('LLEN', line), string.match(first, '%d+$') or ''}
end
found[#found + 1] = whole(now())
return found
