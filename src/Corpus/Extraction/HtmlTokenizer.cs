namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What stands next in a page.</summary>
internal enum HtmlTokenKind
{
    End, Text, StartTag, EndTag, Comment,
}

/// <summary>Cuts a page into tags, texts and comments as the HTML standard does, in one pass; no input is an error.</summary>
internal ref struct HtmlTokenizer(ReadOnlySpan<byte> html, HtmlAttributes attributes)
{
    private readonly ReadOnlySpan<byte> html = html;
    private readonly HtmlAttributes attributes = attributes;
    private int position;
    private int scriptCommentEnd = -1;
    private bool commentsEnd = true;

    /// <summary>Where the next token begins.</summary>
    public readonly int Position => position;

    /// <summary>First byte of a text or comment.</summary>
    public int Start { get; private set; }

    /// <summary>Bytes of a text or comment.</summary>
    public int Length { get; private set; }

    /// <summary>The tag that was read.</summary>
    public HtmlTag Tag { get; private set; }

    /// <summary>Tells names apart that share <see cref="HtmlTag.Other"/>.</summary>
    public uint NameHash { get; private set; }

    /// <summary>Whether the tag ended in <c>/&gt;</c>.</summary>
    public bool SelfClosing { get; private set; }

    /// <summary>Reads the next token. In foreign content <c>&lt;![CDATA[</c> is text.</summary>
    public HtmlTokenKind Read(bool foreign)
    {
        if (position >= html.Length) return HtmlTokenKind.End;
        int opening = FindMarkup(position);
        if (opening > position) return Span(HtmlTokenKind.Text, position, opening, opening);
        byte next = html[position + 1];
        if (next == '/') return ReadEndTag();
        if (next == '!') return ReadDeclaration(foreign);
        if (next == '?') return ReadBogusComment(position + 1);
        return ReadTag(position + 1, HtmlTokenKind.StartTag);
    }

    /// <summary>The rest of a raw text element, up to its end tag, which is passed over. Start and length are those of the text.</summary>
    /// <returns>False where no end tag follows: nothing is consumed then.</returns>
    public bool ReadRawText(HtmlTag tag)
    {
        int end = FindEndTag(position, HtmlTags.Name(tag));
        if (end < 0) return false;
        if (tag == HtmlTag.Script) end = EndOfScript(end);
        if (end < 0) return false;
        Start = position;
        Length = end - position;
        int close = html[end..].IndexOf((byte)'>');
        position = close < 0 ? html.Length : end + close + 1;
        return true;
    }

    /// <summary>Takes everything that is left as text.</summary>
    public void ReadRest()
    {
        Start = position;
        Length = html.Length - position;
        position = html.Length;
    }

    // Where a tag, an end tag, a comment or a declaration begins: a bare '<' is text.
    private readonly int FindMarkup(int from)
    {
        while (true)
        {
            int found = html[from..].IndexOf((byte)'<');
            if (found < 0 || from + found + 1 >= html.Length) return html.Length;
            from += found;
            byte next = html[from + 1];
            if (AsciiWord.IsLetter(next) || next is (byte)'/' or (byte)'!' or (byte)'?') return from;
            from++;
        }
    }

    private HtmlTokenKind ReadEndTag()
    {
        int name = position + 2;
        if (name >= html.Length) return Span(HtmlTokenKind.Text, position, html.Length, html.Length);
        if (AsciiWord.IsLetter(html[name])) return ReadTag(name, HtmlTokenKind.EndTag);
        return html[name] == '>' ? Span(HtmlTokenKind.Comment, name, name, name + 1) : ReadBogusComment(name);
    }

    private HtmlTokenKind ReadDeclaration(bool foreign)
    {
        ReadOnlySpan<byte> rest = html[position..];
        if (rest.StartsWith("<!--"u8)) return ReadComment();
        if (foreign && rest.StartsWith("<![CDATA["u8))
        {
            int start = position + 9;
            int end = html[start..].IndexOf("]]>"u8);
            return end < 0 ? Span(HtmlTokenKind.Text, start, html.Length, html.Length) : Span(HtmlTokenKind.Text, start, start + end, start + end + 3);
        }
        return ReadBogusComment(position + 2);
    }

    private HtmlTokenKind ReadBogusComment(int start)
    {
        int end = html[start..].IndexOf((byte)'>');
        return end < 0 ? Span(HtmlTokenKind.Comment, start, html.Length, html.Length) : Span(HtmlTokenKind.Comment, start, start + end, start + end + 1);
    }

    private HtmlTokenKind ReadComment()
    {
        int start = position + 4;
        if (start < html.Length && html[start] == '>') return Span(HtmlTokenKind.Comment, start, start, start + 1);
        if (html[start..].StartsWith("->"u8)) return Span(HtmlTokenKind.Comment, start, start, start + 2);
        for (int at = start; commentsEnd;)
        {
            int dashes = html[at..].IndexOf("--"u8);
            if (dashes < 0) break;
            at += dashes;
            if (html[(at + 2)..].StartsWith(">"u8)) return Span(HtmlTokenKind.Comment, start, at, at + 3);
            if (html[(at + 2)..].StartsWith("!>"u8)) return Span(HtmlTokenKind.Comment, start, at, at + 4);
            at++;
        }
        // Browsers lose the rest of the page here; the first line of the comment is what was meant to be hidden far more often.
        commentsEnd = false;
        return ReadBogusComment(start);
    }

    private HtmlTokenKind Span(HtmlTokenKind kind, int start, int end, int next)
    {
        Start = start;
        Length = end - start;
        position = next;
        return kind;
    }

    private HtmlTokenKind ReadTag(int nameStart, HtmlTokenKind kind)
    {
        attributes.Clear();
        SelfClosing = false;
        int at = nameStart;
        while (at < html.Length && !AsciiWord.IsSpace(html[at]) && html[at] is not ((byte)'/' or (byte)'>')) at++;
        Tag = HtmlTags.Find(html[nameStart..at], out uint hash);
        NameHash = hash;
        while (at < html.Length)
        {
            byte value = html[at];
            if (value == '>')
            {
                position = at + 1;
                return kind;
            }
            if (value == '/')
            {
                SelfClosing = at + 1 < html.Length && html[at + 1] == '>';
                at++;
            }
            else if (AsciiWord.IsSpace(value)) at++;
            else at = ReadAttribute(at);
        }
        position = html.Length;
        return HtmlTokenKind.End;
    }

    private readonly int ReadAttribute(int nameStart)
    {
        int at = nameStart + 1; // a name may begin with '='
        while (at < html.Length && !AsciiWord.IsSpace(html[at]) && html[at] is not ((byte)'=' or (byte)'/' or (byte)'>')) at++;
        ReadOnlySpan<byte> name = html[nameStart..at];
        while (at < html.Length && AsciiWord.IsSpace(html[at])) at++;
        if (at >= html.Length || html[at] != '=')
        {
            attributes.Add(name, at, 0);
            return at;
        }
        at++;
        while (at < html.Length && AsciiWord.IsSpace(html[at])) at++;
        if (at >= html.Length) return at;
        byte quote = html[at];
        if (quote is (byte)'"' or (byte)'\'')
        {
            int end = html[(at + 1)..].IndexOf(quote);
            if (end < 0) return html.Length;
            attributes.Add(name, at + 1, end);
            return at + end + 2;
        }
        int start = at;
        while (at < html.Length && !AsciiWord.IsSpace(html[at]) && html[at] != '>') at++;
        attributes.Add(name, start, at - start);
        return at;
    }

    private readonly int FindEndTag(int from, ReadOnlySpan<byte> name)
    {
        while (true)
        {
            int found = html[from..].IndexOf("</"u8);
            if (found < 0) return -1;
            from += found;
            int end = from + 2 + name.Length;
            if (end > html.Length) return -1;
            if (AsciiWord.EqualsIgnoreCase(html[(from + 2)..end], name) && (end == html.Length || AsciiWord.IsSpace(html[end]) || html[end] is (byte)'/' or (byte)'>'))
                return from;
            from += 2;
        }
    }

    // Inside <!-- --> a script may hold whole script elements: the end tag of such an inner one does not end the outer.
    private int EndOfScript(int end)
    {
        int at = position;
        while (true)
        {
            int comment = html[at..end].IndexOf("<!--"u8);
            if (comment < 0) return end;
            at += comment + 4;
            int commentEnd = EndOfScriptComment(at);
            if (commentEnd == int.MaxValue) return end; // browsers lose the rest of the page here
            while (end < commentEnd)
            {
                if (!AsciiWord.Contains(html[at..end], "<script"u8)) return end;
                at = end + 2;
                int next = FindEndTag(at, "script"u8);
                if (next < 0) return end;
                end = next;
            }
            at = commentEnd + 3;
        }
    }

    // Looked for once and kept: many scripts may begin a comment whose end lies far behind all of them.
    private int EndOfScriptComment(int from)
    {
        if (scriptCommentEnd >= from) return scriptCommentEnd;
        int found = html[from..].IndexOf("-->"u8);
        return scriptCommentEnd = found < 0 ? int.MaxValue : from + found;
    }
}
