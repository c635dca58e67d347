#!lua flags=no-writes
-- Lists the lanes of a queue: those that have anything in them, and those that once
-- had, which may have had it a moment ago.
-- KEYS lanes
-- Answers for each: its name, how many its window holds, how many wait in its
-- line, when the first of these was accepted (or empty), and how many have ever been
-- accepted and have left the journal for good; and the time last.
local lanes = KEYS[1]

local counts = counts_of(lanes)
local bad = mistyped('set', lanes) or mistyped('hash', counts)
if bad then return redis.error_reply(bad) end

local names, known = redis.call('SMEMBERS', lanes), {}
for _, lane in ipairs(names) do known[lane] = true end
local counted = named(redis.call('HGETALL', counts))
for field in pairs(counted) do
  local lane = string.match(field, '^accepted:(%x+)$')
  if lane and not known[lane] then names[#names + 1] = lane end
end
for _, lane in ipairs(names) do bad = bad or mislaned(lanes, lane) end
if bad then return redis.error_reply(bad) end

local found = {}
for i, lane in ipairs(names) do
  local line, window = laned(lanes, lane)
  local first = redis.call('LINDEX', line, 0) or ''
  found[i] = {lane, redis.call('HLEN', window), redis.call('LLEN', line), string.match(first, '%d+$') or '',
    counted['accepted:' .. lane] or '0', counted['finished:' .. lane] or '0'}
end
found[#found + 1] = whole(now())
return found
