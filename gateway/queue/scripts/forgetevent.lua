#!lua flags=allow-oom
-- Takes an event out of the journal whose party was forgotten, wherever it stands. A
-- worker that has it in hand learns that it is in other hands.
-- KEYS an entry's, delayed and records of its kind, attempts that are to be destroyed
-- ARGV an entry's, when its party was forgotten (ms), keep these attempts for (ms)
-- Answers nothing if it is not there or was accepted later, or: 1 if somebody has it
-- in hand, and then the attempts whose blobs nobody names any more.
local e, bad = entry()
local delayed, records, theirs, limit = KEYS[11], KEYS[12], KEYS[13], tonumber(ARGV[8])
bad = bad or mistyped('zset', delayed) or mistyped('hash', records) or mistyped('set', theirs)
if bad then return redis.error_reply(bad) end

-- answer lists the attempts of the mark that this has left.
local function answer(mark)
  local lost, rest = string.match(mark, '^withdrawn %x+ (%S+)(.*)$')
  local found = {lost ~= '-' and 1 or 0}
  for attempt in string.gmatch(lost .. rest, '%S+') do
    if #attempt == 32 and string.match(attempt, '^%x+$') then found[#found + 1] = attempt end
  end
  return found
end

local mark = redis.call('GET', e.seen) or ''
if string.match(mark, '^withdrawn (%x+)') == e.attempt then return answer(mark) end

-- accepted returns when the event was, or nothing if it is not where it was found.
local function accepted()
  if e.lane ~= '' or e.id == '' then
    local r = parsed(redis.call('HGET', records, e.key) or '')
    return r and r.at
  end
  local found = redis.call('XRANGE', e.stream, e.id, e.id)[1]
  local fields = found and named(found[2]) or {}
  return fields.key == e.key and fields.at
end

local at = tonumber(accepted() or '')
if not at or at > limit then return {} end
if e.lane ~= '' then
  local _, window = laned(e.lanes, e.lane)
  local place = redis.call('HGET', window, e.key)
  e.id = place and place ~= '-' and place or ''
end
local current = redis.call('HMGET', e.work, 'attempt', 'last')
local held = e.id ~= '' and owner(e.stream, e.id) and current[1] and current[1] ~= current[2]
local left = 'withdrawn ' .. e.attempt .. ' ' .. (held and current[1] or '-') .. trail(e, e.key)
local ended = settled(mark)

-- Whoever develops its photos may write one more, which is then swept.
for _, attempt in ipairs(answer(left)) do
  if attempt ~= 0 and attempt ~= 1 then
    redis.call('HSET', e.attempts, attempt, e.key .. ' ' .. whole(now()))
    redis.call('SADD', theirs, attempt)
    redis.call('PEXPIRE', theirs, ARGV[9])
  end
end
if e.id ~= '' then drop(e.stream, e.id) end
redis.call('ZREM', delayed, e.key)
if e.lane ~= '' then
  forget(e, e.lane, e.key)
else
  redis.call('HDEL', records, e.key)
  tally(e.lanes, 'finished', 1)
end
redis.call('DEL', e.work)
if not ended then redis.call('SET', e.seen, left, 'PX', e.keep_for) end
return answer(left)
