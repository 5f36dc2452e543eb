"""The queue of strokes without a page: what becomes of an open question when the editor is left."""

from tests.editor import node

# A server that finds a conflict in the first stroke until it is forced. The first editor asks, and
# is closed before anybody answers; the second one hears "mine".
LEFT_OPEN = """async ({Outbox}) => {
  globalThis.addEventListener = () => {};
  const told = [], rest = () => new Promise((resolve) => setTimeout(resolve, 2));
  const server = {token: 'a', person: 1, post: async (path, {seq, force}) => {
    const ok = seq !== 1 || force === true;
    return {ok, status: ok ? 200 : 409, json: async () => ({status: ok ? 'applied' : 'conflict'})};
  }};
  const storage = {works: true, put() {}, remove() {}, all: async () => []};
  const outbox = new Outbox(server, storage);
  const listener = (name, answer) => ({onState() {}, onRefused() {}, knownFor: () => 0,
    onSaved: ({seq}) => told.push(`${name} saved ${seq}`),
    onConflict: ({seq}) => {
      told.push(`${name} asks ${seq}`);
      return answer;
    }});
  const first = listener('first', new Promise(() => {}));
  outbox.listener = first;
  for (const seq of [1, 2])
    outbox.add({client_id: 'c', seq, tile: 1, project: 'P', path: '/edits', body: {seq}});
  await rest();
  const asking = outbox.kind;
  outbox.leave(first);
  await rest();
  const left = outbox.kind, waiting = outbox.entries.length;
  const second = listener('second', Promise.resolve('mine'));
  outbox.listener = second;
  outbox.leave(first);
  outbox.retryNow();
  await rest();
  return {asking, left, waiting, told, kind: outbox.kind, listens: outbox.listener === second};
}"""


def test_a_question_left_open_is_asked_again_by_the_next_editor() -> None:
    found = node.call("outbox.js", LEFT_OPEN)
    assert (found["asking"], found["left"], found["waiting"]) == ("conflict", "unasked", 2)
    assert found["told"] == ["first asks 1", "second asks 1", "second saved 1", "second saved 2"]
    assert found["kind"] == "saved" and found["listens"]
