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

-- Tags in the text are left out, but for those that do something without a content.
local function tag(element)
  return element.text:match("^<br%W") and pandoc.LineBreak() or picture(element)
end

local function inline(element)
  return element.format == "tex" and equation(element)
    or element.format == "html" and tag(element)
    or nil
end

-- In blocks of their own, for they may end without a paragraph; and with pictures as
-- wide as the page allows.
local function html(element)
  local blocks = pandoc.read(element.text, "html").blocks
  return pandoc.Div(blocks:walk({
    Image = function(image)
      return pandoc.Image({}, image.src)
    end,
  }))
end

local function block(element)
  local found = element.format == "tex" and equation(element)
  if found then
    return pandoc.Para({ found })
  end
  return element.format == "html" and html(element) or nil
end

-- What is best of the forms of an output: a picture, then text with formulas.
local function output(element)
  if not element.classes:includes("output") then
    return nil
  end
  local forms = {}
  for _, form in ipairs(element.content) do
    local picture = form.t == "Para" and form.content[1]
    local is_pdf = picture and picture.t == "Image" and picture.src:match("%.pdf$")
    forms[is_pdf and "pdf" or form.format or form.t] = form
  end
  local plain = forms.CodeBlock
  if forms.Para or forms.pdf then
    return forms.Para or forms.pdf
  elseif forms.markdown then
    return pandoc.read(forms.markdown.text, "markdown").blocks
  elseif forms.latex then
    return pandoc.read(forms.latex.text, "latex").blocks
  elseif forms.html and (not plain or plain.text:match("^<IPython")) then
    return html(forms.html)
  end
  return plain
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
  { Div = output },
  { RawInline = inline, RawBlock = block },
  { Math = powers, Link = link, Div = cell },
}
