#!lua
-- Keeps events that never were in the journal as dead letters, and removes the
-- oldest where they take up too much. What has a record there has outlived its
-- mark, and is no letter.
-- KEYS dead, letters, records, data, then for each event: seen
-- ARGV nonce, seen for (ms), bytes that all letters may take up, letters to
--      remove at most, then for each event: key, letter, the party and when it was
--      received (or empty)
-- Answers for each event 1 if it is new, else 0; and then how many letters were
-- removed.
local dead, letters, records, data = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nonce, seen_for = ARGV[1], ARGV[2]
local most, limit = tonumber(ARGV[3]), tonumber(ARGV[4])

local bad = mistyped('zset', dead) or mistyped('hash', letters, records, data) or uncounted(letters, 'bytes', 'counted')
bad = bad or mistyped('zset', forgotten_of(dead))
for i = 5, #KEYS do bad = bad or mistyped('string', KEYS[i]) end
if bad then return redis.error_reply(bad) end

local function waits(key)
  return redis.call('HEXISTS', data, key) == 1 or redis.call('HEXISTS', records, key) == 1
end

local answers, listed = {}, {}
for i = 1, #KEYS - 4 do
  local seen, key, letter = KEYS[i + 4], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local mark = redis.call('GET', seen)
  if not mark and not waits(key) then
    if was_forgotten(dead, ARGV[3 * i + 4]) then
      mark = 'withdrawn ' .. nonce .. ' -'
    else
      mark = 'buried ' .. nonce
      keep_letter(dead, letters, key, letter)
    end
    redis.call('SET', seen, mark, 'PX', seen_for)
  end
  answers[i] = (mark == 'buried ' .. nonce and not listed[key]) and 1 or 0
  listed[key] = true
end
answers[#answers + 1] = trim_letters(dead, letters, most, limit)
return answers
