#!lua flags=allow-oom
-- Takes an entry out of the stream of photos that has no record.
-- KEYS an entry's   ARGV an entry's
-- Answers mine if it was this consumer's and had none, else other.
local e, bad = entry()
if bad then return redis.error_reply(bad) end

if owner(e.stream, e.id) ~= e.consumer then return 'other' end
if redis.call('HEXISTS', e.data, e.key) == 1 then return 'other' end
finish(e)
redis.call('DEL', e.work)
return 'mine'
