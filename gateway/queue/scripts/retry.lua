#!lua flags=allow-oom
-- Puts an entry off. Its starts stay counted but for this one, which ended in
-- an orderly way.
-- KEYS inbox, work, delayed, records
-- ARGV id, consumer, attempt, after (ms), key, record, cause
-- Answers mine or other.
local inbox, work, delayed, records = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, consumer, attempt, after = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key, record, cause = ARGV[5], ARGV[6], ARGV[7]

local bad = mistyped('stream', inbox) or mistyped('hash', work, records)
  or mistyped('zset', delayed) or uncounted(work, 'starts')
if bad then return redis.error_reply(bad) end

if redis.call('HGET', work, 'last') == attempt then return 'mine' end
if not holds(inbox, work, id, consumer, attempt) then return 'other' end
local due = whole(now() + after)
redis.call('HSET', records, key, record)
redis.call('ZADD', delayed, due, key)
drop(inbox, id)
redis.call('HINCRBY', work, 'starts', -1)
redis.call('HSET', work, 'cause', cause, 'last', attempt)
return 'mine'
