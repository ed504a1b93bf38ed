"""The web page: ask, read each sentence beside its source, extend the corpus. The home of gradio.

`app`         open this first: puts the page together and serves it
`ask`, `corpus`, `evaluation`, `compare`  the tabs; `answering` is what happens to a question
`plans`       what a run of the evaluation asks; `job` makes the run, while `people` do not ask
`runs`        finished runs → figures
`site`        what all parts share
`session`     one visitor's conversation
`view`        Answer → what is shown of it, as plain values; `render` makes HTML of those, the only place that does
`why`         what of the evidence drives a sentence
`models`      loads the models while the page is already there
`apart`       leaves a server that hangs
`quick`       imports gradio in half the time
`questions`   example questions, made from the papers' titles
`uploads`     files → preview → library
`feedback`    what readers say of an answer, as JSON Lines in the library's folder
`downloads`   a conversation as a file
`tools`       ask, search, check and get_paper, over HTTP and for agents (MCP)
`security`    headers, passwords, limits
`picture`     the picture of the page in the README

Text of papers, models and visitors reaches the page through `render` alone; a press of a footnote is
answered by `static/page.js`, without the server.
"""
