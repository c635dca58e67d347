#!lua
-- Keeps events that never were in the journal as dead letters.
-- KEYS dead, letters, then for each event: seen
-- ARGV nonce, seen for (ms), then for each event: key, letter
-- Answers for each event 1 if it is new, else 0.
local dead, letters, nonce, seen_for = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

local bad = mistyped('zset', dead) or mistyped('hash', letters)
for i = 3, #KEYS do bad = bad or mistyped('string', KEYS[i]) end
if bad then return redis.error_reply(bad) end

local time = whole(now())
local answers, listed = {}, {}
for i = 1, #KEYS - 2 do
  local seen, key, letter = KEYS[i + 2], ARGV[2 * i + 1], ARGV[2 * i + 2]
  local mark = redis.call('GET', seen)
  if not mark then
    mark = 'buried ' .. nonce
    redis.call('HSET', letters, key, letter)
    redis.call('ZADD', dead, time, key)
    redis.call('SET', seen, mark, 'PX', seen_for)
  end
  answers[i] = (mark == 'buried ' .. nonce and not listed[key]) and 1 or 0
  listed[key] = true
end
return answers
