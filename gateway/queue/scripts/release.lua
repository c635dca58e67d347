#!lua flags=allow-oom
-- Gives an entry back to its stream, as if it had never been taken.
-- KEYS an entry's   ARGV an entry's, its record where it has no photos
-- Answers mine or other.
local e, bad = entry()
local record = e.lane == '' and parsed(ARGV[8])
if record == nil then bad = bad or 'WRONGVALUE the record of ' .. e.key .. ' cannot be read' end
if bad then return redis.error_reply(bad) end

if redis.call('HGET', e.work, 'back') == e.attempt then return 'mine' end
if owner(e.stream, e.id) ~= e.consumer then return 'other' end
if overtaken(e) then return 'other' end

drop(e.stream, e.id)
if e.lane == '' then
  enter(e.stream, e.key, record)
elseif redis.call('HEXISTS', e.data, e.key) == 1 then
  stand(e, e.lane, e.key)
end
-- Asked here and not of the worker: it may have lost the reply to its begin. An
-- attempt that was none must not hide how the one before it ended.
if redis.call('HGET', e.work, 'attempt') == e.attempt then
  redis.call('HINCRBY', e.work, 'starts', -1)
  redis.call('HSET', e.work, 'last', e.attempt)
end
redis.call('HSET', e.work, 'back', e.attempt)
redis.call('PEXPIRE', e.work, e.keep_for)
return 'mine'
