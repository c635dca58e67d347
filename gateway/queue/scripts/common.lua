-- What the scripts share. It stands before each of them, and defines nothing
-- but local functions, so it writes nothing.

-- mistyped returns an error's text if one of the keys holds another type. A
-- script asks for all its keys before it writes: a script that fails half-way
-- keeps what it has written.
local function mistyped(kind, ...)
  for _, key in ipairs({...}) do
    local found = redis.call('TYPE', key)
    found = found.ok or found
    if found ~= 'none' and found ~= kind then
      return 'WRONGTYPE ' .. key .. ' is a ' .. found .. ' and should be a ' .. kind
    end
  end
end

-- uncounted returns an error's text if a hash's field is there but no number.
local function uncounted(key, field)
  local value = redis.call('HGET', key, field)
  if value and not string.match(value, '^%-?%d+$') then
    return 'WRONGVALUE ' .. key .. ' has a ' .. field .. ' that is no number'
  end
end

-- whole writes a number without the exponent that tostring gives large ones.
local function whole(number)
  return string.format('%.0f', number)
end

-- now is Redis' own clock in milliseconds: workers' clocks differ.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- owner returns the consumer in whose hands an entry is, or nil.
local function owner(inbox, id)
  local pending = redis.call('XPENDING', inbox, 'workers', id, id, 1)[1]
  return pending and pending[2]
end

-- holds is the fence: the entry is still this consumer's, and no later attempt
-- of the same consumer has begun.
local function holds(inbox, work, id, consumer, attempt)
  return owner(inbox, id) == consumer
    and redis.call('HGET', work, 'attempt') == attempt
end

-- settled tells from an event's mark whether it has already left the journal.
local function settled(mark)
  return mark and (string.sub(mark, 1, 5) == 'done ' or string.sub(mark, 1, 7) == 'buried ')
end

-- drop takes an entry out of the journal.
local function drop(inbox, id)
  redis.call('XACK', inbox, 'workers', id)
  redis.call('XDEL', inbox, id)
end

