#!lua flags=no-writes
-- Counts a queue in one moment.
-- KEYS inbox, photos, delayed, delayed photos, dead, out, outgoing, data, told,
--      lanes, letters, idle
-- Answers entries in the journal, in work, delayed, dead, in the agents' queue,
-- when the oldest entry was put into the journal and into the agents' queue (or
-- empty), the times of the first delayed and the oldest dead letter (or
-- empty), the time, the number of agents' readers and how long the liveliest
-- of them has been silent (ms), the conversations in which something waits to
-- be sent, when the first of them should be looked at (or empty), the messages
-- that were told, the bytes of the dead letters, and how many events have ever
-- been put into the journal and have left it for good, and the open conversations.
local inbox, photos, delayed, delayed_photos, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local out, outgoing, data, told, lanes, letters = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local open = KEYS[12]

local bad = mistyped('stream', inbox, photos, out) or mistyped('zset', delayed, delayed_photos, dead, outgoing, open)
  or mistyped('hash', data, told, letters, counts_of(lanes)) or mistyped('set', lanes)
local names = not bad and redis.call('SMEMBERS', lanes) or {}
for _, lane in ipairs(names) do bad = bad or mislaned(lanes, lane) end
if bad then return redis.error_reply(bad) end

local function oldest(stream)
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return first and string.match(first[1], '^%d+')
end

local function first(zset)
  return redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')[2]
end

-- least is the smaller of two numbers as text, of which there may be none.
local function least(a, b)
  if not (a and b) then return a or b end
  return tonumber(a) < tonumber(b) and a or b
end

local waits = least(oldest(inbox), oldest(photos))
for _, lane in ipairs(names) do
  local line = laned(lanes, lane)
  waits = least(waits, string.match(redis.call('LINDEX', line, 0) or '', '%d+$'))
end

local readers, silent = 0, -1
for _, info in ipairs(consumers(out, 'agents')) do
  readers = readers + 1
  local idle = tonumber(info.idle)
  if silent < 0 or idle < silent then silent = idle end
end
local in_work = 0
for _, stream in ipairs({inbox, photos}) do
  local workers = group(stream, 'workers')
  in_work = in_work + (workers and tonumber(workers.pending) or 0)
end
local put_off = redis.call('ZCARD', delayed_photos)
-- A message with photos has its record from its acceptance to its end.
local journaled = redis.call('XLEN', inbox) + redis.call('HLEN', data) - put_off
return {
  journaled, in_work, redis.call('ZCARD', delayed) + put_off, redis.call('ZCARD', dead), redis.call('XLEN', out),
  waits or '', oldest(out) or '', least(first(delayed), first(delayed_photos)) or '', first(dead) or '', whole(now()),
  readers, silent, redis.call('ZCARD', outgoing), first(outgoing) or '', redis.call('HLEN', told),
  redis.call('HGET', letters, 'bytes') or '0',
  redis.call('HGET', counts_of(lanes), 'accepted') or '0', redis.call('HGET', counts_of(lanes), 'finished') or '0',
  redis.call('ZCARD', open),
}
