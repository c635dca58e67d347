#!lua flags=allow-oom
-- Gives an entry back to the inbox, as if it had never been taken.
-- KEYS inbox, work
-- ARGV id, consumer, attempt, keep for (ms), begun (1 or 0), key, conversation,
--      seq, accepted at, tries, payload
-- Answers mine or other.
local inbox, work = KEYS[1], KEYS[2]
local id, consumer, attempt, keep_for, begun = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'

local bad = mistyped('stream', inbox) or mistyped('hash', work) or uncounted(work, 'starts')
if bad then return redis.error_reply(bad) end

if redis.call('HGET', work, 'last') == attempt then return 'mine' end
if owner(inbox, id) ~= consumer then return 'other' end
local current = redis.call('HMGET', work, 'attempt', 'entry', 'owner')
if begun and current[1] ~= attempt then return 'other' end
-- Not begun, but the same consumer has begun another attempt at this very
-- entry: that one is at work, and it is its to finish.
if not begun and current[2] == id and current[3] == consumer then return 'other' end

redis.call('XADD', inbox, '*', 'v', 1, 'key', ARGV[6], 'conv', ARGV[7], 'seq', ARGV[8],
  'at', ARGV[9], 'tries', ARGV[10], 'payload', ARGV[11])
drop(inbox, id)
if begun then
  redis.call('HINCRBY', work, 'starts', -1)
  redis.call('HDEL', work, 'entry', 'owner', 'attempt')
end
redis.call('HSET', work, 'last', attempt)
redis.call('PEXPIRE', work, keep_for)
return 'mine'
