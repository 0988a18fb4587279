-- What browsers and services ask of a web server, in fixed proportions, so that every run makes the same capture.
local total = tonumber(os.getenv("REMORA_BENCH_TRANSACTIONS"))
local browser = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  ["Accept-Language"] = "en-GB,en;q=0.5",
  ["Cookie"] = "session=0f6b1b7e9c2d4a53; theme=dark; consent=all",
}
local service = { ["User-Agent"] = "orders/1.4.2", ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
local compressed = { ["User-Agent"] = browser["User-Agent"], ["Accept-Encoding"] = "gzip" }
local sent, received = 0, 0

function request()
  sent = sent + 1
  local kind = sent % 100
  if kind < 45 then return wrk.format("GET", "/small.html?id=" .. sent, browser) end
  if kind < 75 then return wrk.format("GET", "/list.json?page=" .. sent .. "&limit=25", service) end
  if kind < 80 then return wrk.format("GET", "/text.txt", compressed) end
  if kind < 84 then return wrk.format("GET", "/missing/" .. sent, browser) end
  if kind < 99 then
    return wrk.format("POST", "/orders", service, '{"order":' .. sent .. ',"note":"' .. string.rep("n", sent % 300) .. '"}')
  end
  return wrk.format("GET", "/image.bin", browser)
end

-- wrk itself ends after a time only.
function response()
  received = received + 1
  if received == total then os.exit(0) end
end
