#!lua flags=allow-oom
-- Registers an attempt at an entry, before its first blob is written. An entry
-- whose message has been unsent is taken out of the journal instead.
-- KEYS inbox, work, seen, message (seen where the entry is none)
-- ARGV id, consumer, attempt, keep for (ms)
-- Answers the number of starts that have not ended in an orderly way, this one
-- included, or -1 if the entry is not this consumer's, or -2 if its message has
-- been unsent; and the attempt before this one, or - if it ended in order.
local inbox, work, seen, message = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, consumer, attempt, keep_for = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local bad = mistyped('stream', inbox) or mistyped('hash', work)
  or mistyped('string', seen, message) or uncounted(work, 'starts')
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen)
local by, lost = string.match(mark or '', '^withdrawn (%x+) (%S+)$')
if by == attempt then return {-2, lost} end
if owner(inbox, id) ~= consumer then return {-1, '-'} end
if settled(mark) then
  -- The event was accepted again after its mark had expired, and the other
  -- entry was finished first: it has had its one effect.
  drop(inbox, id)
  return {-1, '-'}
end
local current = redis.call('HMGET', work, 'attempt', 'last', 'before', 'starts')
if current[1] == attempt then return {tonumber(current[4]), current[3]} end
lost = current[1] and current[1] ~= current[2] and current[1] or '-'
if message ~= seen and unsent(message) then
  drop(inbox, id)
  redis.call('DEL', work)
  redis.call('SET', seen, 'withdrawn ' .. attempt .. ' ' .. lost, 'PX', keep_for)
  return {-2, lost}
end
local starts = redis.call('HINCRBY', work, 'starts', 1)
redis.call('PEXPIRE', work, keep_for)
redis.call('HSET', work, 'entry', id, 'owner', consumer, 'before', lost, 'attempt', attempt)
return {starts, lost}
