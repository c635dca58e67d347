#!lua flags=allow-oom
-- Destroys items of a conversation that are older than they are kept. Of a closed one
-- the archive sees to them. The others stay where they are, and a repeat finds these
-- gone.
-- KEYS head   ARGV items
-- Answers how many of them were there.
local c = conversation(KEYS[1])

local bad = read_head(c, '')
if bad then return redis.error_reply(bad) end
if c.state == 'closed' then return 0 end

local n, read = 0, c.read
for _, id in ipairs(ARGV) do
  local letter, arrival = item(c, id)
  if letter then
    n = n + 1
    read = math.max(read, tonumber(arrival))
    redis.call('HDEL', c.items, id, id .. '/edit', id .. '/state', id .. '/notice')
    redis.call('ZREM', c.order, id)
    if c.gist_id == id then c.new.gist_id, c.new.gist_from, c.new.gist, c.new.gist_photos, c.new.gist_unsent = '', '', '', 0, '' end
  end
end
if n > 0 then
  -- What is gone is not unread.
  c.new.read = whole(math.min(read, c.arrived))
  save(c)
end
return n
