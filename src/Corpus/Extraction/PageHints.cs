namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What an element's attributes say about its purpose. Which words mean what is data: hints.txt.</summary>
[Flags]
internal enum PageHints
{
    None = 0,

    /// <summary>Holds the body of an article, by a name that says so exactly.</summary>
    Body = 1 << 0,

    /// <summary>Holds content, by a name that may mean much.</summary>
    Content = 1 << 1,

    /// <summary>Menus, breadcrumbs, page numbers.</summary>
    Navigation = 1 << 2,

    /// <summary>What readers wrote.</summary>
    Comments = 1 << 3,

    /// <summary>Ways to other pages of the site.</summary>
    Related = 1 << 4,

    /// <summary>Buttons for social networks, print and mail.</summary>
    Share = 1 << 5,

    /// <summary>The foot of the page or a copyright notice.</summary>
    Footer = 1 << 6,

    /// <summary>The head of the page.</summary>
    Header = 1 << 7,

    /// <summary>A column beside the content.</summary>
    Sidebar = 1 << 8,

    /// <summary>Notices about cookies and consent.</summary>
    Consent = 1 << 9,

    /// <summary>Advertising.</summary>
    Advert = 1 << 10,

    /// <summary>Subscriptions, newsletters, registration.</summary>
    Subscribe = 1 << 11,

    /// <summary>Who wrote the text, and about the author.</summary>
    Author = 1 << 12,

    /// <summary>Keywords and categories.</summary>
    Tags = 1 << 13,

    /// <summary>Date, time of reading, place.</summary>
    Date = 1 << 14,

    /// <summary>Caption or credit of a picture.</summary>
    Caption = 1 << 15,

    /// <summary>Not shown, or for screen readers only.</summary>
    Hidden = 1 << 16,

    /// <summary>A window over the page.</summary>
    Dialog = 1 << 17,

    /// <summary>A small aid that is no text: search field, rating, player, weather.</summary>
    Widget = 1 << 18,

    /// <summary>A table of contents.</summary>
    Contents = 1 << 19,

    /// <summary>The title of the text.</summary>
    Title = 1 << 20,

    /// <summary>The lead of a text.</summary>
    Lead = 1 << 21,

    /// <summary>Not meant to be printed or read: edit links, permalinks.</summary>
    Tool = 1 << 22,

    /// <summary>Kept for something that quotes another site's message.</summary>
    Embed = 1 << 23,
}
