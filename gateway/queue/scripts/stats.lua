#!lua flags=no-writes
-- Counts a queue in one moment.
-- KEYS inbox, delayed, dead, out, outgoing, letters
-- Answers entries in the journal, in work, delayed, dead, in the agents' queue,
-- the ids of the oldest entry in the journal and in the agents' queue (or
-- empty), the times of the first delayed and the oldest dead letter (or
-- empty), the time, the number of agents' readers and how long the liveliest
-- of them has been silent (ms), the conversations in which something waits to
-- be sent, when the first of them should be looked at (or empty), and the bytes
-- of the dead letters.
local inbox, delayed, dead, out, outgoing, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local bad = mistyped('stream', inbox, out) or mistyped('zset', delayed, dead, outgoing)
  or mistyped('hash', letters)
if bad then return redis.error_reply(bad) end

local function oldest(stream)
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return first and first[1] or ''
end

local function first(zset)
  return redis.call('ZRANGE', zset, 0, 0, 'WITHSCORES')[2] or ''
end

local readers, silent = 0, -1
for _, info in ipairs(consumers(out, 'agents')) do
  readers = readers + 1
  local idle = tonumber(info.idle)
  if silent < 0 or idle < silent then silent = idle end
end
local workers = group(inbox, 'workers')
return {
  redis.call('XLEN', inbox), workers and tonumber(workers.pending) or 0,
  redis.call('ZCARD', delayed), redis.call('ZCARD', dead), redis.call('XLEN', out),
  oldest(inbox), oldest(out), first(delayed), first(dead), whole(now()),
  readers, silent, redis.call('ZCARD', outgoing), first(outgoing),
  redis.call('HGET', letters, 'bytes') or '0',
}
