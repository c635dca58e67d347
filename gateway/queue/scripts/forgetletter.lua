#!lua flags=allow-oom
-- Removes a dead letter of a party that was forgotten. A repeat finds no letter.
-- KEYS dead, letters, seen   ARGV nonce, key, when the party was forgotten, keep for (ms)
-- Answers 1 if the letter was there and had died by then, else 0.
local dead, letters, seen = KEYS[1], KEYS[2], KEYS[3]
local nonce, key, limit, keep_for = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local bad = mistyped('zset', dead) or mistyped('hash', letters) or mistyped('string', seen)
  or uncounted(letters, 'bytes', 'counted')
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen) or ''
if string.match(mark, '^withdrawn (%x+)') == nonce then return 1 end
local died = tonumber(redis.call('ZSCORE', dead, key) or '')
if not died or died > limit then return 0 end
forget_letter(dead, letters, key)
-- Some have reached the agents without their photos, and were delivered.
local entry, told = string.match(mark .. ' ', '^done %x+ (%S+) ?(%S*)')
if buried(mark) or entry == '-' and not string.match(told, '^%d') then
  redis.call('SET', seen, 'withdrawn ' .. nonce .. ' -', 'PX', keep_for)
end
return 1
