import datetime
import pathlib

from acc import InputFile, JobWithFile, OptionDefault, OptionEnum, OptionString, RequiredOption

options = dict(
    number=3,
    real=1.5,
    text="hello",
    flag=False,
    typed=int,
    words=[str],
    ints=[int],
    weights={"k": float},
    names=set(),
    day=datetime.date(2013, 1, 1),
    moment=datetime.datetime,
    path=pathlib.Path,
    needed=RequiredOption(int),
    title=OptionString,
    mode=OptionEnum("fast slow x-*").fast,
    other=OptionEnum("red green", none_ok=True),
    maybe=OptionDefault(OptionString("example"), "default"),
    thefile=JobWithFile(),
    input=InputFile(),
    anything=None,
)


def synthesis(options):
    content = options.input.open().read() if options.input else None
    return {name: value for name, value in options.items() if name not in ("thefile", "input")}, content
