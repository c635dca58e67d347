#!lua flags=allow-oom
-- Makes a queue's streams and groups where they are missing, deletes workers'
-- consumers that have been silent for long and have nothing in hand, and repairs
-- lanes. A consumer that was only stopped is made anew when it reads again. With
-- allow-oom, because a full Redis is emptied by the very gateways that start on it.
-- KEYS inbox, photos, out, data, delayed photos, lanes, delayed
-- ARGV silent for (ms), entries in a window
-- Answers the number of groups made, of consumers deleted, and the keys that were
-- in a lane's window and nowhere else.
local inbox, out, delayed, words, silent_for = KEYS[1], KEYS[3], KEYS[5], KEYS[7], tonumber(ARGV[1])
local p = {photos = KEYS[2], data = KEYS[4], lanes = KEYS[6], most = tonumber(ARGV[2])}

local bad = mistyped('stream', inbox, p.photos, out) or mistyped('hash', p.data)
  or mistyped('zset', delayed, words) or mistyped('set', p.lanes) or miscounted(p.lanes)
local names = not bad and redis.call('SMEMBERS', p.lanes) or {}
for _, lane in ipairs(names) do bad = bad or mislaned(p.lanes, lane) end
if bad then return redis.error_reply(bad) end

local made, deleted, lost = 0, 0, {}
local function ensure(stream, name)
  if group(stream, name) then return end
  redis.call('XGROUP', 'CREATE', stream, name, '0', 'MKSTREAM')
  made = made + 1
end
-- What stands in the journal when it is first looked after may have been written by
-- a release that did not count: from here on the counts tell of all that is in it.
if redis.call('HSETNX', counts_of(p.lanes), 'based', 1) == 1 then
  local counted = redis.call('HMGET', counts_of(p.lanes), 'accepted', 'finished')
  local short = redis.call('XLEN', inbox) + redis.call('HLEN', p.data) + redis.call('ZCARD', words)
    - (tonumber(counted[1] or 0) - tonumber(counted[2] or 0))
  if short > 0 then tally(p.lanes, 'accepted', short) end
  if short < 0 then tally(p.lanes, 'finished', -short) end
end
ensure(inbox, 'workers')
ensure(p.photos, 'workers')
ensure(out, 'agents')

for _, stream in ipairs({inbox, p.photos}) do
  for _, info in ipairs(consumers(stream, 'workers')) do
    if tonumber(info.pending) == 0 and tonumber(info.idle) > silent_for then
      redis.call('XGROUP', 'DELCONSUMER', stream, 'workers', info.name)
      deleted = deleted + 1
    end
  end
end

-- repair looks for those in a window that are neither in the stream nor put off.
-- Nothing would ever take them out, and no other would come in.
local function repair(lane)
  local _, window = laned(p.lanes, lane)
  local places = redis.call('HGETALL', window)
  for i = 1, #places, 2 do
    local key, id = places[i], places[i + 1]
    local here
    if id == '-' then
      here = redis.call('ZSCORE', delayed, key)
    else
      here = #redis.call('XRANGE', p.photos, id, id) == 1
    end
    if not here then
      lost[#lost + 1] = key
      if redis.call('HEXISTS', p.data, key) == 1 then
        stand(p, lane, key)
      else
        redis.call('HDEL', window, key)
      end
    end
  end
  admit(p, lane, passed_at_once)
end
for _, lane in ipairs(names) do repair(lane) end
return {made, deleted, lost}
