#!lua flags=allow-oom
-- Makes an entry a dead letter, and forwards its document if there is one.
-- KEYS inbox, work, seen, out, dead, letters
-- ARGV id, consumer, attempt, seen for (ms), document or empty, key, letter
-- Answers mine or other.
local inbox, work, seen, out, dead, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, consumer, attempt, seen_for = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local document, key, letter = ARGV[5], ARGV[6], ARGV[7]

local bad = mistyped('stream', inbox, out) or mistyped('hash', work, letters)
  or mistyped('string', seen) or mistyped('zset', dead)
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen)
if mark == 'done ' .. attempt then return 'mine' end
if not holds(inbox, work, id, consumer, attempt) then return 'other' end
if settled(mark) then
  drop(inbox, id)
  redis.call('DEL', work)
  return 'other'
end
local time = whole(now())
if document ~= '' then redis.call('XADD', out, '*', 'event', document) end
redis.call('HSET', letters, key, letter)
redis.call('ZADD', dead, time, key)
drop(inbox, id)
redis.call('DEL', work)
redis.call('SET', seen, 'done ' .. attempt, 'PX', seen_for)
return 'mine'
