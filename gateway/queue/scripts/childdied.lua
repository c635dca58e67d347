#!lua flags=allow-oom
-- Counts the death of a darkroom child against one photo of an entry.
-- KEYS an entry's   ARGV an entry's, nonce, photo
-- Answers the deaths so far, or -1 if the entry is not this consumer's.
local e, bad = entry()
local nonce, deaths, told = ARGV[8], 'deaths:' .. ARGV[9], 'told:' .. ARGV[9]

bad = bad or uncounted(e.work, deaths)
if bad then return redis.error_reply(bad) end

if redis.call('HGET', e.work, told) == nonce then
  return tonumber(redis.call('HGET', e.work, deaths))
end
if not holds(e) then return -1 end
local count = redis.call('HINCRBY', e.work, deaths, 1)
redis.call('HSET', e.work, told, nonce)
return count
