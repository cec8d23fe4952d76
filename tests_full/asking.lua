-- Asks the language server of an RTFS buffer for everything, and writes the answers to $RTFS_ANSWERS as JSON.
local function wait(ready)
  assert(vim.wait(60000, ready, 50), "the server did not answer in a minute")
end

local function main()
  vim.cmd("edit plan.rtfs")
  wait(function()
    return #vim.diagnostic.get(0) > 0
  end)

  local function at(word, more)
    local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
    for number, line in ipairs(lines) do
      local found = line:find(word, 1, true)
      if found then
        return { line = number - 1, character = found - 1 + (more or 0) }
      end
    end
    error("there is no " .. word)
  end

  local document = vim.lsp.util.make_text_document_params(0)

  local function ask(method, params)
    params.textDocument = document
    local found = assert(vim.lsp.buf_request_sync(0, method, params, 60000), method)
    for _, answer in pairs(found) do
      assert(answer.error == nil, vim.inspect(answer.error))
      return answer.result
    end
  end

  local everything = { start = { line = 0, character = 0 }, ["end"] = { line = 99, character = 0 } }
  local answers = {
    filetype = vim.bo.filetype,
    diagnostics = vim.tbl_map(function(one)
      return { one.code or (one.user_data or {}).lsp and one.user_data.lsp.code, one.lnum, one.col, one.message }
    end, vim.diagnostic.get(0)),
    hover = ask("textDocument/hover", { position = at("area 2") }),
    completion = ask("textDocument/completion", { position = at(':state "', 7) }),
    signature = ask("textDocument/signatureHelp", { position = at(':owner "', 3) }),
    definition = ask("textDocument/definition", { position = at("p/rate", 3) }),
    references = ask("textDocument/references", { position = at("area 2"), context = { includeDeclaration = true } }),
    rename = ask("textDocument/rename", { position = at("area 2"), newName = "surface" }),
    symbols = ask("textDocument/documentSymbol", {}),
    formatting = ask("textDocument/formatting", { options = { tabSize = 2, insertSpaces = true } }),
    actions = ask("textDocument/codeAction", { range = everything, context = { diagnostics = {} } }),
    tokens = ask("textDocument/semanticTokens/full", {}),
    folding = ask("textDocument/foldingRange", {}),
  }
  local file = assert(io.open(os.getenv("RTFS_ANSWERS"), "w"))
  file:write(vim.json and vim.json.encode(answers) or vim.fn.json_encode(answers))
  file:close()
end

local fine, said = xpcall(main, debug.traceback)
if not fine then
  io.stderr:write(said .. "\n")
  vim.cmd("cquit!")
end
vim.cmd("qall!")
