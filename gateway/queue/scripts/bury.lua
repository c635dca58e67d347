#!lua
-- Keeps an event that never was in the journal as a dead letter.
-- KEYS seen, dead, letters   ARGV nonce, seen for (ms), key, letter
-- Answers 1 if the event is new, else 0.
local seen, dead, letters = KEYS[1], KEYS[2], KEYS[3]
local nonce, seen_for, key, letter = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local bad = mistyped('string', seen) or mistyped('zset', dead) or mistyped('hash', letters)
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen)
if mark then return mark == 'buried ' .. nonce and 1 or 0 end
local time = whole(now())
redis.call('HSET', letters, key, letter)
redis.call('ZADD', dead, time, key)
redis.call('SET', seen, 'buried ' .. nonce, 'PX', seen_for)
return 1
