#!lua flags=allow-oom
-- Gives an entry back to the inbox, as if it had never been taken.
-- KEYS inbox, work
-- ARGV id, consumer, attempt, keep for (ms), key, conversation, seq, accepted
--      at, tries, payload
-- Answers mine or other.
local inbox, work = KEYS[1], KEYS[2]
local id, consumer, attempt, keep_for = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key, conversation, seq = ARGV[5], ARGV[6], ARGV[7]
local at, tries, payload = ARGV[8], ARGV[9], ARGV[10]

local bad = mistyped('stream', inbox) or mistyped('hash', work) or uncounted(work, 'starts')
if bad then return redis.error_reply(bad) end

if redis.call('HGET', work, 'last') == attempt then return 'mine' end
if owner(inbox, id) ~= consumer then return 'other' end
if overtaken(work, id, consumer, attempt) then return 'other' end

enter(inbox, key, conversation, seq, at, tries, payload)
drop(inbox, id)
-- Asked here and not of the worker: it may have lost the reply to its begin.
if redis.call('HGET', work, 'attempt') == attempt then
  redis.call('HINCRBY', work, 'starts', -1)
end
redis.call('HSET', work, 'last', attempt)
redis.call('PEXPIRE', work, keep_for)
return 'mine'
