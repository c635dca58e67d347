#!lua flags=allow-oom
-- Counts the death of a darkroom child against one photo of an entry.
-- KEYS inbox, work   ARGV id, consumer, attempt, nonce, photo
-- Answers the deaths so far, or -1 if the entry is not this consumer's.
local inbox, work = KEYS[1], KEYS[2]
local id, consumer, attempt, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local deaths, told = 'deaths:' .. ARGV[5], 'told:' .. ARGV[5]

local bad = mistyped('stream', inbox) or mistyped('hash', work) or uncounted(work, deaths)
if bad then return redis.error_reply(bad) end

if redis.call('HGET', work, told) == nonce then
  return tonumber(redis.call('HGET', work, deaths))
end
if not holds(inbox, work, id, consumer, attempt) then return -1 end
local count = redis.call('HINCRBY', work, deaths, 1)
redis.call('HSET', work, told, nonce)
return count
