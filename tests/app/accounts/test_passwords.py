import asyncio

import pytest

from app.accounts import passwords
from app.errors import Refused


@pytest.mark.parametrize(
    "password",
    ["password123", "PASSWORD123!!", "qwertyuiop", "1234567890", "0987654321", "aaaaaaaaaa", "ababababab",
     "letmeinplease",
     "mara@fernhill.example", "fernhillgarden", "Fernhill Garden1", "correct horse battery staple", "iloveyou2026"],
)  # fmt: skip
def test_what_others_try_first_is_refused_at_the_field(password):
    with pytest.raises(Refused) as refused:
        passwords.check(password, known=("mara@fernhill.example", "Fernhill Garden", "fernhillgarden"))
    assert refused.value.field == "password" and refused.value.remedy


@pytest.mark.parametrize(
    "password",
    ["four quiet green herons", "Kw7!pz-9vTq", "ein langer Satz mit Umlauten äöü", "猫猫犬犬鳥鳥魚魚木木花花"],
)
def test_a_few_words_are_taken(password):
    passwords.check(password, known=("mara@fernhill.example",))


async def test_a_hash_is_argon2id_with_64_mib_and_matches_only_its_password():
    stored = await passwords.make_hash("four quiet green herons")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=2$")
    assert await passwords.matches("four quiet green herons", stored)
    assert not await passwords.matches("four quiet green heron", stored)
    assert not passwords.is_old(stored)


async def test_nobody_matches_but_takes_as_long():
    loop = asyncio.get_running_loop()
    stored = await passwords.make_hash("four quiet green herons")
    times = []
    for each in (stored, ""):
        await passwords.matches("x", each)
        start = loop.time()
        assert not await passwords.matches("x", each)
        times.append(loop.time() - start)
    assert max(times) < 5 * min(times)
