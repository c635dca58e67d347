#!lua flags=allow-oom
-- Moves entries whose time has come back to their stream; a message with photos
-- that has kept no place in its lane's window queues up again. A repeat needs no
-- mark: what has been moved is no longer there to be moved again. A record that
-- cannot be read may be a newer release's: it stays, and steps back for a while
-- so that it keeps no other from its turn. Then it goes on with lanes in which an
-- event's script has stopped, because too many in their line had been unsent.
-- KEYS inbox, delayed, records, photos, delayed photos, data, lanes
-- ARGV at most, step back for (ms), entries in a window
-- Answers the number moved and passed over, the keys that had no record, those
-- whose record cannot be read, and those whose record only a newer release can.
local inbox, delayed, records = KEYS[1], KEYS[2], KEYS[3]
local p = {photos = KEYS[4], delayed = KEYS[5], data = KEYS[6], lanes = KEYS[7], most = tonumber(ARGV[3])}
local limit, back_for = tonumber(ARGV[1]), tonumber(ARGV[2])

local bad = mistyped('stream', inbox, p.photos) or mistyped('zset', delayed, p.delayed)
  or mistyped('hash', records, p.data, counts_of(p.lanes)) or mistyped('set', p.lanes)
if bad then return redis.error_reply(bad) end

local time = now()

-- due lists the keys whose time has come, with their records.
local function due(from, written_in, most)
  local keys, found = redis.call('ZRANGEBYSCORE', from, '-inf', whole(time), 'LIMIT', 0, most), {}
  for i, key in ipairs(keys) do
    local text = redis.call('HGET', written_in, key)
    local r = text and parsed(text)
    found[i] = {key = key, gone = not text, newer = text and newer(text), record = r}
    if r and written_in == p.data then bad = bad or mislaned(p.lanes, r.lane) end
  end
  return found
end

local words = due(delayed, records, limit)
local photos = due(p.delayed, p.data, limit - #words)
local stopped = not bad and redis.call('HEXISTS', counts_of(p.lanes), 'stopped') == 1
local names = stopped and redis.call('SMEMBERS', p.lanes) or {}
for _, lane in ipairs(names) do bad = bad or mislaned(p.lanes, lane) end
if bad then return redis.error_reply(bad) end

local moved, lost, unread, left = 0, {}, {}, {}

local function move(from, found, put)
  for _, d in ipairs(found) do
    if d.record then
      put(d.key, d.record)
      redis.call('ZREM', from, d.key)
      moved = moved + 1
    elseif d.gone then
      redis.call('ZREM', from, d.key)
      lost[#lost + 1] = d.key
    else
      redis.call('ZADD', from, whole(time + back_for), d.key)
      local those = d.newer and left or unread
      those[#those + 1] = d.key
    end
  end
end

move(delayed, words, function(key, r)
  enter(inbox, key, r)
  redis.call('HDEL', records, key)
end)
move(p.delayed, photos, function(key, r)
  local _, window = laned(p.lanes, r.lane)
  if redis.call('HEXISTS', window, key) == 1 then
    stand(p, r.lane, key)
  else
    queue_up(p, r.lane, key, r.at)
  end
end)
if stopped then redis.call('HDEL', counts_of(p.lanes), 'stopped') end
for _, lane in ipairs(names) do moved = moved + admit(p, lane, limit - moved) end
return {moved, lost, unread, left}
