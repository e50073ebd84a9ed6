"""What the knowledge service says of files and their rows, as the editors' page says it.

The service names what is wrong in English, as the command line prints it. Each of its sentences
stands here once more; a test holds that none is missing.
"""

from __future__ import annotations

import re

from contracts.requests import ImportPlanned, OfficeFileImported, Reply, RowNote, RowProblem

_N = r"([\d,]+)"
_SAID: tuple[tuple[str, str], ...] = (
    # A cell.
    (rf"has {_N} characters, at most {_N} are taken", "有 {} 个字，最多 {} 个"),
    (rf"has {_N} characters, at most {_N} of {_N} each are taken",
     "有 {} 个字，太长了：最多 {} 项，每项 {} 个字"),
    (rf"has {_N} characters, at most {_N} taken", "有 {} 个字，最多 {} 个"),
    (r"is empty", "不能是空的"),
    (r"is empty: write yes or no", "不能是空的：请写“是”或“否”（yes、no 也可以）"),
    (r"write yes or no", "请写“是”或“否”（yes、no 也可以）"),
    (r"begins like those of the directory and of agreed wordings: change it",
     "不能以 office 或 wording 开头：这是机构和统一口径用的，请换一个"),
    (r"(.*) is not in the table of regions", "“{}”不在地区表里"),
    (r"(\S+) is before valid_from (\S+)", "{} 早于开始日 {}"),
    (r"(.*) is not a date: write it as 2026-01-31", "“{}”不是日期，请写成 2026-01-31"),
    (rf"(.*) lies outside the years {_N} to {_N}", "“{}”不在 {} 年到 {} 年之间"),
    (r"(.*) is no day of the calendar", "“{}”：日历上没有这一天"),
    (r"(.*) is none of (.*)", "“{}”不能选，可以选：{}"),
    (rf"holds {_N}, at most {_N} are taken", "有 {} 项，最多 {} 项"),
    (rf"holds one of {_N} characters, at most {_N} are taken", "有一项长 {} 个字，最多 {} 个"),
    (rf"takes {_N} at most, each of {_N} characters", "最多 {} 个，每个最多 {} 个字"),
    (rf"(.*) stands on line {_N} already", "“{}”在第 {} 行已经有了"),
    (r"may hold letters, digits, \. _ and - only", "只能用字母、数字和 . _ -"),
    (r"is empty, and address, hours and liaison too: say one of them",
     "电话、地址、办公时间、联络员至少写一项"),
    (r"holds a list or an object, not a text", "应该是文字，不能是列表或对象"),
    (r"holds a formula without a result: open the file in Excel and save it, or write a value",
     "是没有结果的公式：请用 Excel 打开、保存一次，或直接写值"),
    (r"is merged with the cell beside it: split them", "和旁边的单元格合并了：请拆开"),
    (r"holds (\S+), an error of the spreadsheet", "是表格的错误值 {}"),
    # Who authorised.
    (r"marked authorised, but nobody is named: give --authorised-by",
     "标为已授权，却没有写授权人：请写明，或补在文件里"),
    (r"is yes: then no answer can be authorised, write no under authorised",
     "写了“是”：不对外的答复不能授权，请在 authorised 一列写“否”"),
    (r"names who imports: what is new or changed must be authorised by somebody else",
     "写的是导入人自己：新增和改动的内容要由另一个人授权"),
    (r"was withdrawn: it returns by a new draft alone, which another person authorises",
     "已经撤回，不能靠导入恢复：请另写草稿，由另一位采编员授权"),
    # A row.
    (r"has more cells than the header: is a comma not quoted\?",
     "比表头多出单元格：是不是有逗号没有加引号"),
    (r"holds half a character \(\\ud800 to \\udfff\): write it whole", "里面有半个字符：请写完整"),
    (r"is no JSON object on one line", "不是写在一行里的 JSON 对象"),
    (r"names a field twice", "同一个字段写了两次"),
    # What was made of a row, and warnings.
    (r"holds HTML: it is shown as the text it is", "里面有 HTML 代码：会照原样当文字显示"),
    (rf"characters that nobody can see were taken out: {_N}", "去掉了 {} 个看不见的字符"),
    (r"a draft of it awaits a decision: the import puts it away",
     "有一份等待授权的草稿，导入会把草稿放弃"),
    # A file.
    (r"is a workbook of an old Excel \(\.xls\): save it as \.xlsx",
     "是旧版 Excel 文件（.xls）：请另存为 .xlsx"),
    (r"is text in UTF-16: save it as CSV in UTF-8", "是 UTF-16 文本：请另存为 UTF-8 的 CSV"),
    (r"is neither text nor an Excel file \(\.xlsx\)", "既不是文本，也不是 Excel 文件（.xlsx）"),
    (rf"has more than {_N} rows, the most an import takes: split it",
     "超过 {} 行，一次导入不了：请拆成几个文件"),
    (rf"has more than {_N} offices: split it", "超过 {} 个机构：请拆成几个文件"),
    (r"holds no rows below its header", "只有表头，没有内容"),
    (r"has no column (.*) in its header", "表头里缺少这些列：{}"),
    (r"has the column (.*) twice in its header", "表头里这些列写了两次：{}"),
    (rf"is damaged: line {_N} holds bytes that are not UTF-8",
     "坏了：第 {} 行有不是 UTF-8 的内容"),
    (r"is text neither in UTF-8 nor in GB18030", "不是 UTF-8，也不是 GB18030 编码的文本"),
    (rf"is no CSV from line {_N} on \(.*\)", "从第 {} 行起不是正确的 CSV：是不是有引号没有配对"),
    (r"is no JSONL: write one object a line, .*", "不是 JSONL：要一行写一个 JSON 对象"),
    (rf"has a line {_N} of more than {_N} characters", "第 {} 行太长，超过 {} 个字"),
    (r"has too many merged cells: split them", "合并的单元格太多：请拆开"),
    (r"is not an Excel workbook, or a damaged one", "不是 Excel 文件，或者已经损坏"),
    (r"holds more text than an import takes: split it", "内容太多，一次导入不了：请拆成几个文件"),
    (r"is larger than 8 MB: that is no directory of offices", "超过 8 MB，不像是机构目录"),
    (rf"holds a part of more than {_N} bytes", "没有传完整，请重新选择文件"),
    (r"holds a part that is not base64|is not base64", "没有传完整，请重新选择文件"),
    (r"has parts that did not arrive: hand it over once more", "没有传完整，请重新选择文件"),
    # An import.
    (r"say who imports", "请写明由谁导入"),
    (r"who imports cannot authorise: name the one who authorised it",
     "导入的人不能自己授权：请写明另一位授权人"),
    (r"there are no rows of this import: hand them over once more",
     "这次导入的内容已经不在了，请重新选择文件"),
    (rf"an import has at most {_N} rows: split the file; nothing of it was imported",
     "文件超过 {} 行，一次导入不了，什么也没有导入：请拆成几个文件"),
    (rf"{_N} rows are bad, so nothing was imported: mend them, or import the good ones "
     r"alone \(partly\)", "有 {} 行有问题，什么也没有导入"),
    (r"the base has changed meanwhile, nothing was imported: try again",
     "知识库刚刚有别的改动，这次什么也没有导入：请再核对一次"),
    (r"the database does not answer, nothing was imported: try again later",
     "知识库的数据库暂时连不上，没有办成：请稍后再试"),
    (r"the import was taken, and the database does not answer since: it is in force as soon as "
     r"that is back; do not import it again",
     "已经导入，但数据库随后没有回应：恢复后就生效，请不要再导入一次"),
    (r"the knowledge base is not open yet: ask again in a few seconds",
     "知识库正在打开：请过几秒再试"),
    (r"there is no such part of this export: begin once more with part 0",
     "导出中断了，请重新导出"),
    (rf"(\S+), {_N} entries", "{}，{} 条"),
)  # fmt: skip
_PATTERNS = [(re.compile(pattern, re.DOTALL), said) for pattern, said in _SAID]
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
UNKNOWN = "没有被接受，请核对"


def in_chinese(message: str) -> str | None:
    """A sentence of the knowledge service about a file or a row in Chinese; None where it is not
    known."""
    for pattern, said in _PATTERNS:
        if found := pattern.fullmatch(message):
            return said.format(*found.groups())
    return None


def said_of_row(message: str) -> str:
    """What is said of a row: always in Chinese."""
    return in_chinese(message) or (message if _CHINESE.search(message) else UNKNOWN)


def said_of_file(name: str, message: str) -> str | None:
    """What is said of a file that could not be read; None where it is not known."""
    about_it = message.startswith(f"{name} ")
    said = in_chinese(message.removeprefix(f"{name} ")) or in_chinese(message)
    if said is None:
        return None
    return f"“{name}”{said}。" if about_it else f"{said}。"


def for_page(reply: Reply) -> Reply:
    """A reply as the page shows it: what it says of rows in Chinese."""
    if isinstance(reply, ImportPlanned):
        return reply.model_copy(
            update={
                "problems": tuple(map(_problem, reply.problems)),
                "notes": tuple(map(_note, reply.notes)),
                "warnings": tuple(
                    warning.model_copy(update={"why": said_of_row(warning.why)})
                    for warning in reply.warnings
                ),
            }
        )
    if isinstance(reply, OfficeFileImported):
        return reply.model_copy(update={"problems": tuple(map(_problem, reply.problems))})
    return reply


def _problem(problem: RowProblem) -> RowProblem:
    return problem.model_copy(update={"message": said_of_row(problem.message)})


def _note(note: RowNote) -> RowNote:
    return note.model_copy(update={"message": said_of_row(note.message)})
