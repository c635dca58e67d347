#!lua flags=allow-oom
-- Registers an attempt at an entry, before its first blob is written. An entry
-- whose message has been unsent is taken out of the journal instead.
-- KEYS an entry's, message (seen where the entry is none)   ARGV an entry's
-- Answers the number of starts that have not ended in an orderly way, this one
-- included, or -1 if the entry is not this consumer's, or -2 if its message has
-- been unsent; the attempt before this one, or - if it ended in order; the id
-- under which the message was told, or -; the attempts that were kept; of a
-- message with photos, its record; and the time.
local e, bad = entry()
local message = KEYS[11]
bad = bad or mistyped('string', message)
if bad then return redis.error_reply(bad) end

local time = whole(now())
local mark = redis.call('GET', e.seen)
local by, lost, rest = string.match(mark or '', '^withdrawn (%x+) (%S+)(.*)$')
if by == e.attempt then
  return {-2, lost, '-', string.match(rest, '^ [%d,-]+ ([%x ]+)') or '', '', time}
end
if owner(e.stream, e.id) ~= e.consumer then return {-1, '-', '-', '', '', time} end
local record = e.lane ~= '' and redis.call('HGET', e.data, e.key) or ''
if settled(mark) or e.lane ~= '' and record == '' then
  -- The event was accepted again after its mark had expired, and the other
  -- entry was finished first: it has had its one effect.
  finish(e)
  return {-1, '-', '-', '', '', time}
end
local current = redis.call('HMGET', e.work, 'attempt', 'last', 'before', 'starts')
local told = string.match(redis.call('HGET', e.told, e.key) or '-', '^%S+')
local kept = redis.call('HGET', e.kept, e.key) or ''
if current[1] == e.attempt then return {tonumber(current[4]), current[3], told, kept, record, time} end
lost = current[1] and current[1] ~= current[2] and current[1] or '-'
if message ~= e.seen and unsent(message) then
  withdraw(e, lost)
  return {-2, lost, '-', kept, '', time}
end
local starts = redis.call('HINCRBY', e.work, 'starts', 1)
if e.lane ~= '' then redis.call('HSET', e.attempts, e.attempt, e.key .. ' ' .. time) end
redis.call('PEXPIRE', e.work, e.keep_for)
redis.call('HSET', e.work, 'entry', e.id, 'owner', e.consumer, 'before', lost, 'attempt', e.attempt)
return {starts, lost, told, kept, record, time}
