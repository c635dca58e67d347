#!lua flags=allow-oom
-- Puts an entry's document into the agents' queue and takes the entry out of
-- the journal.
-- KEYS inbox, work, seen, out
-- ARGV id, consumer, attempt, seen for (ms), document
-- Answers mine or other.
local inbox, work, seen, out = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, consumer, attempt, seen_for, document = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local bad = mistyped('stream', inbox, out) or mistyped('hash', work) or mistyped('string', seen)
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen)
if mark == 'done ' .. attempt then return 'mine' end
if not holds(inbox, work, id, consumer, attempt) then return 'other' end
if settled(mark) then
  drop(inbox, id)
  redis.call('DEL', work)
  return 'other'
end
redis.call('XADD', out, '*', 'event', document)
drop(inbox, id)
redis.call('DEL', work)
redis.call('SET', seen, 'done ' .. attempt, 'PX', seen_for)
return 'mine'
