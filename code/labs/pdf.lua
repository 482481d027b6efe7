-- What Jupyter shows and Pandoc would leave out or get wrong. What cannot be printed is
-- told in a line of its own, in JSON: the cell, a piece of its text, and why.

local cell -- the id of the one that is read

local function fault(piece, message)
  local words = { cell = cell, piece = piece, message = message }
  io.stderr:write("labs: ", pandoc.json.encode(words), "\n")
end

-- ------------------------------------------------------------------------ TeX

-- Environments that Jupyter shows as formulas.
local FORMULA = pandoc.List({ "equation", "align", "gather", "multline", "eqnarray" })
FORMULA:extend({ "alignat", "flalign", "split", "displaymath", "math", "aligned" })
FORMULA:extend({ "gathered", "alignedat", "cases", "array", "matrix", "pmatrix" })
FORMULA:extend({ "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix" })
-- Environments and commands that only a page knows; Jupyter shows their TeX.
local BLOCKS = pandoc.List({ "tabular", "enumerate", "itemize", "description" })
BLOCKS:extend({ "center", "quote", "quotation", "verbatim", "table" })
local WORDS = pandoc.List({ "textbf", "textit", "texttt", "textsc", "textrm" })
WORDS:extend({ "textsf", "emph", "underline", "url", "href", "LaTeX", "TeX" })
-- Commands without text of their own.
local LAYOUT = pandoc.List({ "newpage", "clearpage", "pagebreak", "noindent" })
LAYOUT:extend({ "smallskip", "medskip", "bigskip", "vspace", "hspace", "centering" })

local tex_block, tex_inline

-- Reads TeX; images would be sought beside the page.
local function from_tex(text)
  return pandoc.read(text, "latex+raw_tex").blocks:walk({
    Image = function()
      fault(text, "TeX shows an image: write ![text](file)")
    end,
    RawBlock = function(element)
      return tex_block(element)
    end,
    RawInline = function(element)
      return tex_inline(element)
    end,
  })
end

function tex_block(element)
  local name = element.text:match("^%s*\\begin{(%a+)%*?}")
  if FORMULA:includes(name) then
    return pandoc.Para({ pandoc.Math("DisplayMath", element.text) })
  elseif BLOCKS:includes(name) then
    return from_tex(element.text)
  elseif name then
    fault(element.text, "the environment " .. name .. " cannot be printed")
  end
  return nil
end

-- What is no command of a page stands there as in the notebook.
function tex_inline(element)
  local name = element.text:match("^\\(%a+)")
  if WORDS:includes(name) then
    return pandoc.utils.blocks_to_inlines(from_tex(element.text))
  elseif LAYOUT:includes(name) then
    return {}
  elseif name == "ref" or name == "eqref" then
    return nil -- when all numbers are known
  elseif element.text:match("^\\begin") then
    local block = tex_block(element)
    return block and pandoc.utils.blocks_to_inlines(pandoc.Blocks(block))
  end
  local text, space = element.text:match("^(.-)(%s*)$")
  return space == "" and { pandoc.Str(text) } or { pandoc.Str(text), pandoc.Space() }
end

-- ----------------------------------------------------------------------- HTML

-- Elements of which paper shows nothing; Pandoc would even look for them.
local MOVING = { "iframe", "video", "audio", "object", "embed", "canvas", "script" }
local MARKUP = {
  sup = pandoc.Superscript,
  sub = pandoc.Subscript,
  b = pandoc.Strong,
  strong = pandoc.Strong,
  i = pandoc.Emph,
  em = pandoc.Emph,
  u = pandoc.Underline,
  s = pandoc.Strikeout,
  del = pandoc.Strikeout,
}

local function is_still(text)
  for _, name in ipairs(MOVING) do
    if text:lower():match("<" .. name .. "%f[%W]") then
      fault(text, "paper has no <" .. name .. ">: leave the PDFs out with --no-pdf")
      return false
    end
  end
  return true
end

-- In blocks of their own, for they may end without a paragraph; and with pictures as
-- wide as the page allows.
local function html(element)
  if not is_still(element.text) then
    return {}
  end
  local blocks = pandoc.read(element.text, "html+tex_math_dollars").blocks
  return pandoc.Div(blocks:walk({
    Image = function(image)
      return pandoc.Image({}, image.src)
    end,
  }))
end

-- Tags in the text are left out, but for those that do something without a content.
local function tag(element)
  local source = element.text:match("<img[^>]-src%s*=%s*[\"'](.-)[\"']")
  if source then
    return pandoc.Image({}, source)
  elseif element.text:match("^<br%W") then
    return pandoc.LineBreak()
  end
  is_still(element.text)
  return {}
end

-- Tags around text become what they mean.
local function between_tags(inlines)
  local made, open = pandoc.Inlines({}), {}
  for _, element in ipairs(inlines) do
    local is_html = element.t == "RawInline" and element.format == "html"
    local slash, name = (is_html and element.text or ""):match("^<(/?)(%a+)%s*>$")
    local last = open[#open]
    if MARKUP[name] and slash == "" then
      open[#open + 1] = { name = name, before = made }
      made = pandoc.Inlines({})
    elseif slash == "/" and last and last.name == name then
      local whole = MARKUP[name](made)
      made, open[#open] = last.before, nil
      made:insert(whole)
    else
      made:insert(element)
    end
  end
  for place = #open, 1, -1 do -- never closed
    open[place].before:extend(made)
    made = open[place].before
  end
  return made
end

-- ------------------------------------------------------------- what cells hold

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
    return pandoc.read(forms.latex.text, "latex+raw_tex").blocks
  elseif forms.html and (not plain or plain.text:match("^<IPython")) then
    return html(forms.html)
  elseif plain then
    return pandoc.CodeBlock((plain.text:gsub("\27%[[%d;]*%a", ""))) -- no colours
  end
  fault("", "this output cannot be printed")
end

local function raw_block(element)
  if element.format == "html" then
    return html(element)
  end
  local is_layout = LAYOUT:includes(element.text:match("^\\(%a+)%f[%A]"))
  if is_layout and not element.text:match("\n%s*%S") then
    return {}
  end
  return tex_block(element) or pandoc.Para(tex_inline(element))
end

local function raw_inline(element)
  if element.format == "html" then
    return tag(element)
  end
  return tex_inline(element)
end

local function image(element)
  if element.src:match("^%a+://") then
    fault(element.src, "an image on the web cannot be printed")
  end
end

-- ------------------------------------------------------------------- formulas

local numbers, count = {}, 0

-- The number of a row of a formula, and what is left of the row. One with a label is
-- counted, unless it has a tag.
local function numbered(row)
  local shown
  row = row:gsub("\\tag(%*?)%s*(%b{})", function(star, group)
    local words = group:sub(2, -2)
    shown = star == "" and "(" .. words .. ")" or words
    return ""
  end)
  row = row:gsub("\\label%s*{(.-)}", function(label)
    if not shown then
      count = count + 1
      shown = "(" .. count .. ")"
    end
    numbers[label] = shown
    return ""
  end)
  return shown and row:gsub("%s+$", "") .. " \\qquad \\text{" .. shown .. "}" or row
end

-- Its rows, those of matrices inside apart.
local function rows(body)
  local found, depth, start, place = {}, 0, 1, 1
  while place <= #body do
    local rest = body:sub(place, place + 6)
    depth = depth + (rest:match("^\\begin%f[%A]") and 1 or rest:match("^\\end") and -1 or 0)
    if rest:match("^\\\\") then
      if depth == 0 then
        found[#found + 1] = body:sub(start, place - 1)
        start = place + 2
      end
      place = place + 1
    end
    place = place + 1
  end
  found[#found + 1] = body:sub(start)
  return found
end

local function with_numbers(element)
  if element.text:match("\\label%A") or element.text:match("\\tag%A") then
    local name, body = element.text:match("^%s*\\begin{(%a+%*?)}(.*)\\end{%a+%*?}%s*$")
    local whole = {}
    for place, row in ipairs(rows(body or element.text)) do
      whole[place] = numbered(row)
    end
    local text = table.concat(whole, " \\\\ ")
    element.text = name and "\\begin{" .. name .. "}" .. text .. "\\end{" .. name .. "}"
      or text
    return element
  end
end

local function referred(text)
  return (
    text:gsub("\\(e?q?ref)%s*{(.-)}", function(name, label)
      local shown = numbers[label]
      if not shown then
        fault(text, "no formula has the label " .. label)
        return nil
      end
      return name == "ref" and shown:gsub("^%((.*)%)$", "%1") or shown
    end)
  )
end

local function reference(element)
  return pandoc.Str(referred(element.text))
end

-- Of {a^b}^c, Pandoc would make a with the exponent b^c.
local function powers(text)
  return text:gsub("()(%b{})%^", function(start, group)
    local before = text:sub(1, start - 1)
    local bound = before:match("[_^]$") or before:match("brace$") -- \sum_{...}^n
    if not bound and group:find("%^[^\\]") then
      return group .. "{}^"
    end
  end)
end

-- Pandoc's own environments; a formula that it does not understand is told.
local function formula(element)
  local original = element.text
  element.text = powers(referred(element.text))
  element.text = element.text:gsub("(\\begin{)split}", "%1aligned}")
  element.text = element.text:gsub("(\\end{)split}", "%1aligned}")
  local page = pandoc.Pandoc({ pandoc.Para({ element }) })
  local said = pandoc.log.silence(pandoc.write, page, "typst")
  for _, each in ipairs(said) do
    local words = pandoc.json.decode(pandoc.json.encode(each))
    local why = (words.message or ""):match("(unexpected[^\n]*)") or "unknown TeX"
    fault(original, "this formula cannot be printed: " .. why)
  end
  return element
end

-- --------------------------------------------------------------- the notebook

-- A link to a heading has another target here.
local function link(element)
  if element.target:sub(1, 1) == "#" then
    return element.content
  end
end

-- Text would be in a box as wide as its lines, with equations in the box's middle.
local function unboxed(element)
  if element.classes:includes("markdown") then
    return element.content
  end
end

local STEPS = {
  { Div = output },
  { Inlines = between_tags },
  { RawInline = raw_inline, RawBlock = raw_block },
  { Math = with_numbers, Image = image },
  { Math = formula, RawInline = reference, Link = link },
}

-- One step for all cells before the next: a reference may stand before its formula.
function Pandoc(document)
  for _, step in ipairs(STEPS) do
    for place, block in ipairs(document.blocks) do
      cell = block.identifier
      document.blocks[place] = block:walk(step)
    end
  end
  return document:walk({ Div = unboxed })
end
