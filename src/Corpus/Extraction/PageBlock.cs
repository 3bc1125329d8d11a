namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>A line or paragraph of a page: the texts between two borders of blocks.</summary>
internal struct PageBlock
{
    /// <summary>The innermost block element around it.</summary>
    public int Container;

    /// <summary>First node of its text.</summary>
    public int First;

    /// <summary>Node behind its last text.</summary>
    public int End;

    /// <summary>Characters that are no space.</summary>
    public int Characters;

    /// <summary>Those of them in links.</summary>
    public int LinkCharacters;

    /// <summary>Those of them that are bold.</summary>
    public int BoldCharacters;

    /// <summary>Ends of sentences.</summary>
    public int Stops;

    /// <summary>Commas and the like inside sentences.</summary>
    public int Commas;

    /// <summary>Digits.</summary>
    public int Digits;

    /// <summary>Number of links that begin in it.</summary>
    public int Links;

    /// <summary>Whether it belongs to the main text.</summary>
    public bool Kept;

    /// <summary>Characters outside of links.</summary>
    public readonly int OwnCharacters => Characters - LinkCharacters;

    /// <summary>Characters of a block that reads like sentences; 0 for others.</summary>
    public readonly int Worth
    {
        get
        {
            if (LinkShare > 0.5 || Characters < 40) return 0;
            return Stops == 0 && Commas == 0 && OwnCharacters < 80 ? 0 : OwnCharacters;
        }
    }

    /// <summary>Whether it is a link rather than text with a link in it.</summary>
    public readonly bool IsLinked => LinkShare > 0.6 && !(OwnCharacters >= 20 && Stops > 0 && Characters > 60);

    /// <summary>Share of the characters in links.</summary>
    public readonly double LinkShare => Characters == 0 ? 0 : (double)LinkCharacters / Characters;
}
