-- What Jupyter shows and Pandoc would leave out or get wrong.

local function equation(element)
  local name, body = element.text:match("^\\begin{(%a+)%*?}(.*)\\end{%a+%*?}%s*$")
  if name == "equation" then
    return pandoc.Math("DisplayMath", body)
  elseif name == "align" or name == "gather" then
    local inner = name .. "ed"
    local text = "\\begin{" .. inner .. "}" .. body .. "\\end{" .. inner .. "}"
    return pandoc.Math("DisplayMath", text)
  end
end

local function picture(element)
  local source = element.text:match("<img[^>]-src%s*=%s*[\"'](.-)[\"']")
  return source and pandoc.Image({}, source)
end

local function inline(element)
  return element.format == "tex" and equation(element)
    or element.format == "html" and picture(element)
    or nil
end

local function block(element)
  local found = inline(element)
  return found and pandoc.Para({ found })
end

-- Of {a^b}^c, Pandoc would make a with the exponent b^c.
local function powers(element)
  local text = element.text
  element.text = text:gsub("()(%b{})%^", function(start, group)
    local before = text:sub(1, start - 1)
    local bound = before:match("[_^]$") or before:match("brace$") -- \sum_{...}^n
    if not bound and group:find("%^[^\\]") then
      return group .. "{}^"
    end
  end)
  return element
end

-- A link to a heading has another target here.
local function link(element)
  if element.target:sub(1, 1) == "#" then
    return element.content
  end
end

-- Text would be in a box as wide as its lines, with equations in the box's middle.
local function cell(element)
  if element.classes:includes("markdown") then
    return element.content
  end
end

return {
  { RawInline = inline, RawBlock = block },
  { Math = powers, Link = link, Div = cell },
}
