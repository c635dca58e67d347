#!lua flags=no-writes
-- Picks from registered attempts those whose blobs nobody names.
-- KEYS attempts, kept, then of each attempt: work   ARGV lease (ms), then of each: attempt
-- Answers those that are no live entry's current attempt, kept by none, and
-- older than the lease, each with its age in ms.
local attempts, kept, lease = KEYS[1], KEYS[2], tonumber(ARGV[1])

local bad = mistyped('hash', attempts, kept)
for i = 3, #KEYS do bad = bad or mistyped('hash', KEYS[i]) end
if bad then return redis.error_reply(bad) end

local time, orphans = now(), {}

-- The age of an orphan, or nothing.
local function orphaned(attempt, work)
  local key, since = string.match(redis.call('HGET', attempts, attempt) or '', '^(%x+) (%d+)$')
  if not key or time - tonumber(since) < lease then return end
  if string.find(' ' .. (redis.call('HGET', kept, key) or '') .. ' ', ' ' .. attempt .. ' ', 1, true) then
    return
  end
  local current = redis.call('HMGET', work, 'attempt', 'last')
  if current[1] ~= attempt or current[2] == attempt then return time - tonumber(since) end
end

for i = 3, #KEYS do
  local age = orphaned(ARGV[i - 1], KEYS[i])
  if age then
    orphans[#orphans + 1] = ARGV[i - 1]
    orphans[#orphans + 1] = whole(age)
  end
end
return orphans
