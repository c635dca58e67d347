#!lua flags=allow-oom
-- Registers an attempt at an entry, before its first blob is written.
-- KEYS inbox, work, seen   ARGV id, consumer, attempt, keep for (ms)
-- Answers the number of starts that have not ended in an orderly way, this one
-- included, or -1 if the entry is not this consumer's.
local inbox, work, seen = KEYS[1], KEYS[2], KEYS[3]
local id, consumer, attempt, keep_for = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local bad = mistyped('stream', inbox) or mistyped('hash', work)
  or mistyped('string', seen) or uncounted(work, 'starts')
if bad then return redis.error_reply(bad) end

if owner(inbox, id) ~= consumer then return -1 end
if settled(redis.call('GET', seen)) then
  -- The event was accepted again after its mark had expired, and the other
  -- entry was finished first: it has had its one effect.
  drop(inbox, id)
  return -1
end
if redis.call('HGET', work, 'attempt') == attempt then
  return tonumber(redis.call('HGET', work, 'starts'))
end
local starts = redis.call('HINCRBY', work, 'starts', 1)
redis.call('PEXPIRE', work, keep_for)
redis.call('HSET', work, 'entry', id, 'owner', consumer, 'attempt', attempt)
return starts
